"""The Flask application: every vendor under its own path, and the stand-ins' own controls."""

from typing import Any

from flask import Flask

from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.server import agora_blueprint
from sandbox.stand_ins.hearing.speech import Engine
from sandbox.stand_ins.runtime.dials import dials_blueprint
from sandbox.stand_ins.runtime.ledger import ledger_blueprint
from sandbox.stand_ins.runtime.runtime import World
from sandbox.stand_ins.vendors.registry import vendors


def create_world(engine: Engine, **outside: Any) -> World:
    """The world with the dials of all vendors; `outside` replaces parts of it (see World)."""
    dials: dict[str, type[Any]] = {"agora": AgoraDials, **{name: v.dials for name, v in vendors().items()}}
    return World(engine=engine, dial_groups=dials, **outside)


def create_app(world: World) -> Flask:
    """The stand-ins in this world; whoever made the world closes it."""
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    app.register_blueprint(agora_blueprint(world), url_prefix="/agora")
    for name, vendor in vendors().items():
        app.register_blueprint(vendor.blueprint(world), url_prefix=f"/{name}")
    app.register_blueprint(dials_blueprint(world.dials))
    app.register_blueprint(ledger_blueprint(world.ledger))

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"ok": True}

    return app
