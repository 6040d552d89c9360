"""The Flask application: each vendor under its own path, and the controls /dials, /ledger and /health."""

from collections.abc import Collection
from typing import Any

from flask import Flask

from sandbox.stand_ins.agora.dials import AgoraDials
from sandbox.stand_ins.agora.server import agora_blueprint
from sandbox.stand_ins.bedrock.dials import BedrockDials
from sandbox.stand_ins.bedrock.server import OtherModel, bedrock_blueprint
from sandbox.stand_ins.hearing.dials import HearingDials
from sandbox.stand_ins.hearing.speech import Engine, SpeechEngine
from sandbox.stand_ins.runtime.dials import dials_blueprint
from sandbox.stand_ins.runtime.ledger import ledger_blueprint
from sandbox.stand_ins.runtime.runtime import Runtime
from sandbox.stand_ins.vendors.registry import vendors


def create_runtime(engine: Engine, **outside: Any) -> Runtime:
    """Create the runtime with all dials. `outside` replaces parts of it, see Runtime."""
    groups = {"agora": AgoraDials, "bedrock": BedrockDials, "hearing": HearingDials}
    dials: dict[str, type[Any]] = {**groups, **{name: vendor.dials for name, vendor in vendors().items()}}
    runtime = Runtime(engine=engine, dial_groups=dials, **outside)
    if isinstance(engine, SpeechEngine):
        engine.scripted = lambda: runtime.dials.of(HearingDials).scripted
    return runtime


def create_app(
    runtime: Runtime, *, only: Collection[str] | None = None, other_model: OtherModel | None = None
) -> Flask:
    """Create the application on this runtime, of Agora, Bedrock and all vendors, or of those in `only`.

    `other_model` answers in place of Bedrock's stand-in. The caller closes the runtime.
    """
    app = Flask(__name__)
    app.json.sort_keys = False  # type: ignore[attr-defined]
    if only is None or "agora" in only:
        app.register_blueprint(agora_blueprint(runtime), url_prefix="/agora")
    if only is None or "bedrock" in only:
        app.register_blueprint(bedrock_blueprint(runtime, other_model), url_prefix="/bedrock")
    for name, vendor in vendors().items():
        if only is not None and name not in only:
            continue
        app.register_blueprint(vendor.blueprint(runtime), url_prefix=f"/{name}")
        vendor.wait_at_looks(runtime)
    app.register_blueprint(dials_blueprint(runtime.dials))
    app.register_blueprint(ledger_blueprint(runtime.ledger))

    @app.get("/health")
    def health() -> dict[str, bool]:
        return {"ok": True}

    return app
