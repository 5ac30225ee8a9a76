"""Templates that every tenant has without making them. A tenant's own of the same name wins."""

from core.contracts.notification import Channel, Format, Template

WELCOME = Template(
    template_id="welcome",
    name="welcome",
    type=Channel.EMAIL,
    subject="Welcome to isA",
    body=(
        "Hello{% if name is defined %} {{ name }}{% endif %},\n\n"
        "welcome to isA! Your account is ready.\n\n"
        "The isA team\n"
    ),
    format=Format.TEXT,
    variables=["name"],
    version=1,
    built_in=True,
)
BUILT_IN: tuple[Template, ...] = (WELCOME,)


def find_built_in(name: str) -> Template | None:
    """A built-in template; its id is its name."""
    return next((template for template in BUILT_IN if template.name == name), None)
