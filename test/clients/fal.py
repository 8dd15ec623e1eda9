"""FAL's client against the mock upstream: only the hosts, constants of its module, are replaced."""
import json
import os
import sys

base = sys.argv[1]
os.environ["FAL_KEY"] = "id:secret"
import fal_client.client as module  # noqa: E402

module.QUEUE_URL_FORMAT = f"{base}/queue/"
module.REST_URL = f"{base}/storage"
module.CDN_URL = f"{base}/storage"
client = module.SyncClient()

endpoint = "fal-ai/kling-video/v2/master/text-to-video"
uploaded = client.upload(b"\x89PNG", "image/png", file_name="kite.png")
stored = client.upload(b"\x89PNG", "image/png", file_name="kite.png", repository="fal")
handle = client.submit(endpoint, {"prompt": "A red kite", "duration": "5"})
seen = [type(event).__name__ for event in handle.iter_events(with_logs=True, interval=0.01)]
by_id = module.SyncRequestHandle.from_request_id(client._client, endpoint, handle.request_id)

try:
    client.submit("fal-ai/veo9", {"prompt": "A red kite"})
    unknown = 0
except Exception as error:
    unknown = error.response.status_code
wrong = client.submit(endpoint, {"prompt": "A red kite", "duration": 5})
list(wrong.iter_events(interval=0.01))
try:
    wrong.get()
    invalid = None
except Exception as error:
    invalid = error.response.json()["detail"][0]

print(json.dumps({
    "uploaded": uploaded,
    "stored": stored,
    "last": seen[-1],
    "video": handle.get()["video"]["url"],
    "by_id": by_id.get()["video"]["url"],
    "unknown": unknown,
    "invalid": invalid,
}))
