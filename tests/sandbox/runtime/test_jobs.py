"""Jobs that outlive the call that started them."""

import threading

from sandbox.stand_ins.runtime.jobs import Jobs


def test_work_that_is_over_is_not_waited_for_although_its_thread_goes_on() -> None:
    jobs, end = Jobs(), threading.Event()

    def work() -> None:
        jobs.work_is_over()
        end.wait()

    jobs.start("symbl 1", work)
    jobs.wait_for_work("symbl ", 60)
    end.set()
    jobs.join()


def test_only_the_work_of_one_vendor_is_waited_for() -> None:
    jobs, end = Jobs(), threading.Event()
    jobs.start("symbl 1", end.wait)
    jobs.wait_for_work("marsview ", 60)
    end.set()
    jobs.wait_for_work("symbl ", 60)
    jobs.join()


def test_join_waits_for_jobs_that_jobs_start() -> None:
    jobs, done = Jobs(), threading.Event()
    jobs.start("one", lambda: jobs.start("another", done.set))
    jobs.join()
    assert done.is_set()
