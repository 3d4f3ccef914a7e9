"""Publication, after it was decided: the whole site is built and put in its place, then the revision is released."""

from mailrouter.flow.publishing.steps import catch_up, finish, press_again, publish

__all__ = ["catch_up", "finish", "press_again", "publish"]
