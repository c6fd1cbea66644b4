"""The inbox: messages received, each taken once, read once, and ended in a named state."""

from chw_tools.store.inbox.inbox import Inbox, Letter, Waiting

__all__ = ["Inbox", "Letter", "Waiting"]
