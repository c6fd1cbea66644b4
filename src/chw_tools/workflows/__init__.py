"""One function per act a user names: ingest, train, score, recommend, plan, enter a visit, show.

Each is imported from its own module, since some need heavy libraries and others must not:
:mod:`~chw_tools.workflows.ingest`, :mod:`~chw_tools.workflows.train`,
:mod:`~chw_tools.workflows.assess`, :mod:`~chw_tools.workflows.plan`,
:mod:`~chw_tools.workflows.visits`, :mod:`~chw_tools.workflows.people`,
:mod:`~chw_tools.workflows.show`. What they need of the world stands in
:mod:`~chw_tools.workflows.ports`.
"""
