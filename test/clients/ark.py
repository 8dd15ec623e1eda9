"""The official clients of Ark (BytePlus, Volcengine) against the mock upstream: nulls, list and delete as they send them."""
import importlib
import json
import sys
import time

module, base = sys.argv[1:3]
client = importlib.import_module(module).Ark(base_url=f"{base}/ark", api_key="fake", max_retries=0)
tasks = client.content_generation.tasks
text = {"type": "text", "text": "A red kite"}
frame = {"type": "image_url", "image_url": {"url": "https://media.example/a.png"}, "role": "first_frame"}
reference = {**frame, "role": "reference_image"}

orders = [
    {"model": "seedance-1-0-pro-fast-251015", "content": [text], "duration": 5, "seed": 4294967295},
    {"model": "seedance-1-5-pro-251215", "content": [text, frame], "generate_audio": True},
    {"model": "dreamina-seedance-2-0-260128", "content": [text, reference], "duration": 15},
]
made = [tasks.create(**order).id for order in orders]
ended = []
for task in made:
    for _ in range(200):
        shown = tasks.get(task_id=task)
        if shown.status not in ("queued", "running"):
            break
        time.sleep(0.01)
    ended.append([shown.status, shown.content.video_url])
listed = tasks.list(page_num=1, page_size=10, task_ids=made[:2])
by_model = tasks.list(model=orders[2]["model"], status="succeeded")
tasks.delete(task_id=made[0])

try:
    tasks.create(model=orders[0]["model"], content=[text], generate_audio=True)
    refused = None
except Exception as error:
    refused = [error.status_code, error.code]

print(json.dumps({
    "made": made,
    "ended": ended,
    "listed": sorted(item.id for item in listed.items),
    "by_model": [item.id for item in by_model.items],
    "refused": refused,
}))
