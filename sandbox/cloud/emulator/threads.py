"""Work that takes long, beside the event loop that serves the whole local cloud."""

import asyncio
import concurrent.futures
import threading
from collections.abc import Callable
from typing import TypeVar

Result = TypeVar("Result")


async def on_a_thread(work: Callable[[], Result]) -> Result:
    """Run blocking work on a thread of its own, and return what it returns.

    The few threads of the loop's pool run Lambda functions. The process would also wait for a thread of the pool before
    it ends.
    """
    future: concurrent.futures.Future[Result] = concurrent.futures.Future()

    def run() -> None:
        try:
            future.set_result(work())
        except Exception as error:  # noqa: BLE001 - the future passes it on
            future.set_exception(error)

    threading.Thread(target=run, daemon=True).start()
    return await asyncio.wrap_future(future)
