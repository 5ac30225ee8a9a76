"""Every setting, read from the environment once at the edge of a process and passed inward from there."""

from functools import lru_cache
from pathlib import Path
from typing import Literal

from pydantic import AliasChoices, Field, SecretStr
from pydantic_settings import BaseSettings, SettingsConfigDict

ServiceName = Literal["audit", "notification", "task", "compliance", "event"]
SERVICES: tuple[ServiceName, ...] = ("audit", "notification", "task", "compliance", "event")


def _plain(name: str) -> AliasChoices:
    """A variable that other tools know too, so it carries no OPS_ prefix."""
    return AliasChoices(name, f"OPS_{name}")


class Settings(BaseSettings):
    """Variables start with OPS_ unless another tool gave them their name already."""

    # an empty variable is an unset one, as compose files pass them on
    model_config = SettingsConfigDict(env_prefix="OPS_", env_ignore_empty=True, extra="ignore", populate_by_name=True)

    database_url: str = Field("postgresql://localhost/ops", validation_alias=_plain("DATABASE_URL"))
    database_pool: int = 10

    temporal_address: str = Field("127.0.0.1:7233", validation_alias=_plain("TEMPORAL_ADDRESS"))
    temporal_namespace: str = Field("default", validation_alias=_plain("TEMPORAL_NAMESPACE"))
    temporal_ui_url: str = Field("http://localhost:8233", validation_alias=_plain("TEMPORAL_UI_URL"))
    temporal_api_key: SecretStr | None = Field(None, validation_alias=_plain("TEMPORAL_API_KEY"))
    temporal_tls_cert: str | None = Field(None, validation_alias=_plain("TEMPORAL_TLS_CERT"))
    temporal_tls_key: str | None = Field(None, validation_alias=_plain("TEMPORAL_TLS_KEY"))

    host: str = "127.0.0.1"
    audit_port: int = 8205
    notification_port: int = 8206
    task_port: int = 8211
    compliance_port: int = 8226
    event_port: int = 8230
    worker_metrics_port: int = 0

    jwt_secret: SecretStr | None = None
    jwt_algorithm: Literal["HS256", "RS256", "ES256", "EdDSA"] = "HS256"
    jwks_url: str | None = None
    jwt_issuer: str = "isa-operations"
    jwt_audience: str = "isa-operations"
    secret_key: SecretStr = Field(min_length=32)

    max_body_bytes: int = 8 * 1024 * 1024
    rate_limit_per_minute: int = Field(0, description="Requests a caller may make in a minute; 0 sets no limit.")

    max_batch_body_bytes: int = Field(16 * 1024 * 1024, description="The limit for a batch sent as one JSON body.")
    max_upload_bytes: int = Field(1024**3, description="The limit for a batch of texts streamed as lines.")
    upload_idle_seconds: int = Field(900, description="An upload of which nothing came for so long is given up.")
    detector_timeout_seconds: float = Field(2.0, gt=0, description="For a short text; twice that for one of 100 KiB.")
    detector_processes: int = Field(0, ge=0, description="In which a worker checks batches; 0: one a processor.")

    review_claim_minutes: int = Field(60, ge=1, description="A review that is claimed and not decided so long is free.")
    reviewers: str = Field("", description="User ids, comma-separated: told of reviews where a policy names nobody.")
    review_escalate_to: str = Field("", description="User ids, comma-separated: told of escalations, likewise.")

    data_request_four_eyes: bool = Field(True, description="Nobody approves a request of their own, or about them.")
    data_request_artifact_days: float = Field(7, gt=0, description="How long the file of an export can be fetched.")

    detoxify_model: str | None = Field(None, description="original, unbiased or multilingual; needs the extra.")
    detoxify_checkpoint: Path | None = None
    detoxify_config: Path | None = Field(None, description="Folder with the base model's config and tokenizer.")
    detoxify_threshold: float = Field(0.5, ge=0, le=1)
    transformers_model: Path | None = Field(None, description="Folder of a classifier of prompt injections.")
    transformers_label: int = Field(1, ge=0, description="Which of its labels is the injection, from 0.")
    transformers_threshold: float = Field(0.5, ge=0, le=1)
    transformers_max_tokens: int = Field(512, ge=8, description="Longer texts are judged in windows.")
    onnx_model: Path | None = Field(None, description="The same as an ONNX file.")
    onnx_tokenizer: Path | None = Field(None, description="Its tokenizer.json.")
    onnx_label: int = Field(1, ge=0)
    onnx_threshold: float = Field(0.5, ge=0, le=1)
    onnx_max_tokens: int = Field(512, ge=8)

    smtp_host: str | None = None
    smtp_port: int = 587
    smtp_username: str | None = None
    smtp_password: SecretStr | None = None
    smtp_starttls: bool = True
    mail_from: str = "isA <no-reply@localhost>"
    sendgrid_api_key: SecretStr | None = Field(None, validation_alias=_plain("SENDGRID_API_KEY"))
    sendgrid_base_url: str = Field("https://api.sendgrid.com", validation_alias=_plain("SENDGRID_BASE_URL"))
    twilio_account_sid: str | None = Field(None, validation_alias=_plain("TWILIO_ACCOUNT_SID"))
    twilio_auth_token: SecretStr | None = Field(None, validation_alias=_plain("TWILIO_AUTH_TOKEN"))
    twilio_from: str | None = Field(None, validation_alias=_plain("TWILIO_FROM"))
    twilio_base_url: str | None = Field(None, validation_alias=_plain("TWILIO_BASE_URL"))
    firebase_credentials: str | None = Field(None, validation_alias=_plain("FIREBASE_CREDENTIALS"))
    firebase_base_url: str | None = Field(None, validation_alias=_plain("FIREBASE_BASE_URL"))
    webhook_allow_private: bool = Field(False, description="Let webhooks reach private and loopback addresses.")

    otlp_endpoint: str | None = Field(None, validation_alias=AliasChoices("OTEL_EXPORTER_OTLP_ENDPOINT"))
    log_level: Literal["DEBUG", "INFO", "WARNING", "ERROR"] = "INFO"

    def port(self, service: ServiceName) -> int:
        """The port on which this service's front door listens."""
        ports: dict[ServiceName, int] = {
            "audit": self.audit_port,
            "notification": self.notification_port,
            "task": self.task_port,
            "compliance": self.compliance_port,
            "event": self.event_port,
        }
        return ports[service]


@lru_cache
def get_settings() -> Settings:
    """This process's settings."""
    return Settings()
