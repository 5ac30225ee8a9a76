"""The task front door: what people do with tasks, what workers tell of executions, and the figures."""

# `figures` comes first: after `manage`, "analytics" would be taken for a task id.
from api.app import Door
from api.recorder import Recorder
from api.task import create, figures, manage, serve
from api.task.access import router
from api.task.pollers import Pollers

__all__ = ["DOOR", "create", "figures", "manage", "router", "serve"]

DOOR = Door(
    name="task",
    summary="Background jobs: create, schedule, watch, cancel; serve task types of your own",
    router=router,
    extras=lambda _settings, database: {"pollers": Pollers(), "new_tasks": Recorder(database, create.add_together)},
)
