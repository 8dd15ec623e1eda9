"""Runware's client over REST against the mock upstream."""
import asyncio
import json
import sys

from runware import Runware


async def main(base):
    async with Runware(api_key="fake", transport="rest", http_base_url=f"{base}/v1") as client:
        order = {
            "taskType": "videoInference",
            "model": "pixverse:1@5",
            "positivePrompt": "A red kite",
            "width": 1280,
            "height": 720,
            "duration": 5,
            "deliveryMethod": "async",
        }
        [video] = await client.run(order)
        try:
            await client.run({**order, "positivePrompt": "x"})
            refused = None
        except Exception as error:
            refused = [error.code, str(getattr(error, "parameter", None)), str(error)]
        print(json.dumps({"video": video["videoURL"], "refused": refused}))


asyncio.run(main(sys.argv[1]))
