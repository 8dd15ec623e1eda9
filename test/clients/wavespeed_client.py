"""WaveSpeed's client against the mock upstream: polling, sync mode and an upload."""
import io
import json
import sys

from wavespeed import Client

base = sys.argv[1]
client = Client(api_key="fake", base_url=base, max_connection_retries=0)
model = "lightricks/ltx-2-fast/text-to-video"
order = {"prompt": "A red kite", "duration": 6, "generate_audio": False}
polled = client.run(model, order, poll_interval=0.01)
synced = client.run(model, order, enable_sync_mode=True)
try:
    client.run(model, {**order, "duration": "6"}, poll_interval=0.01)
    refused = ""
except Exception as error:
    refused = str(error)
upload = io.BytesIO(b"sound")
upload.name = "speech.mp3"
print(json.dumps({
    "polled": polled["outputs"][0],
    "synced": synced["outputs"][0],
    "refused": refused,
    "uploaded": client.upload(upload),
}))
