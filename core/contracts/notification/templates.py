"""Templates: made, given new versions, rendered."""

from datetime import datetime
from typing import Annotated, Any

from pydantic import AfterValidator, ConfigDict, Field, StringConstraints
from pydantic_core import to_json

from core.contracts.notification.names import Channel, Format
from core.contracts.platform import Answer, Contract, JsonObject, Word

MAX_BODY_CHARACTERS, MAX_SUBJECT_CHARACTERS = 128 * 1024, 1000
MAX_VARIABLES, MAX_VARIABLES_BYTES = 100, 64 * 1024

VariableName = Annotated[str, StringConstraints(max_length=100, pattern=r"^[A-Za-z][A-Za-z0-9_]*$")]
Subject = Annotated[str, StringConstraints(max_length=MAX_SUBJECT_CHARACTERS)]
Body = Annotated[str, StringConstraints(min_length=1, max_length=MAX_BODY_CHARACTERS)]
VariableNames = Annotated[list[VariableName], Field(max_length=MAX_VARIABLES)]
Asked = Annotated[VariableNames | None, Field(description="every variable the text may use; found in it if left out")]
Written = Annotated[
    Format | None, Field(description="html only for email; left out: html where an email's body holds a closing tag")
]


def _bounded(value: JsonObject) -> JsonObject:
    written = to_json(value)
    if len(written) > MAX_VARIABLES_BYTES:
        raise ValueError(f"must not exceed {MAX_VARIABLES_BYTES} bytes of JSON")
    # Looked at here too: pydantic forgets a model's config where FastAPI annotates a model that has a validator.
    if written != to_json(value, inf_nan_mode="null"):
        raise ValueError("holds a number beyond the range of a double")
    return value


Variables = Annotated[JsonObject, AfterValidator(_bounded), Field(max_length=MAX_VARIABLES)]
TEMPLATE_EXAMPLE: dict[str, Any] = {
    "name": "welcome_email",
    "type": "email",
    "subject": "Welcome to isA!",
    "body": "Hello {{name}}, welcome to our platform!",
    "variables": ["name"],
}


class CreateTemplate(Contract):
    """A message with variables, its first version."""

    model_config = ConfigDict(json_schema_extra={"examples": [TEMPLATE_EXAMPLE]})

    name: Word
    type: Annotated[Channel, Field(description="the channel a message takes when none is asked for")]
    subject: Subject | None = None
    body: Annotated[Body, Field(description="a template in Jinja's language: {{name}}, {% if %}, {% for %}, filters")]
    variables: Asked = None
    format: Written = None


class UpdateTemplate(Contract):
    """The next version. What was sent keeps the version it had."""

    subject: Subject | None = None
    body: Body
    variables: Asked = None
    format: Written = None


class Template(Answer):
    """A template in one version. Built-in ones serve every tenant that has none of the same name."""

    template_id: str
    name: str
    type: Channel
    subject: str | None = None
    body: str
    format: Format
    variables: list[str]
    version: int
    built_in: bool = False
    created_by: str | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class Render(Contract):
    """Values for a preview."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"variables": {"name": "John"}}]})

    variables: Variables | None = None


class Rendered(Answer):
    """The text as a recipient would get it; `text` is what goes where HTML cannot."""

    subject: str | None
    body: str
    text: str
    format: Format


class Content(Answer):
    """A rendered message."""

    subject: str | None
    text: str
    html: str | None = None
