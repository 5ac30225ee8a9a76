"""The commands of `./ops`. Each loads what it needs when it runs, so that `--help` and `token` answer at once."""

from pathlib import Path
from typing import Annotated

import typer

from deploy.errors import OpsCliError

app = typer.Typer(
    name="./ops",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="rich",
    help="Run isA Operations on this machine. [bold]./ops up[/] starts it, [bold]./ops test[/] tests it.",
)
PASS_ON = {"allow_extra_args": True, "ignore_unknown_options": True}


@app.command(rich_help_panel="Every day")
def up(
    detach: Annotated[bool, typer.Option("--detach", "-d", help="Keep running in the background.")] = False,
) -> None:
    """Start everything, wait until it is ready, print the addresses. Ctrl-C stops it."""
    from deploy import config
    from deploy.up import up as start

    start(config.load(), detach=detach)


@app.command(rich_help_panel="Every day")
def down() -> None:
    """Stop what this checkout started, and nothing else."""
    from deploy import config
    from deploy.up import down as stop

    stop(config.load())


@app.command(rich_help_panel="Every day")
def status() -> None:
    """Show processes, memory and the state of each service. Exit code 1 unless all is ready."""
    from deploy import config, show

    if not show.status(config.load()):
        raise typer.Exit(1)


@app.command(rich_help_panel="Every day")
def logs(
    name: Annotated[str | None, typer.Argument(help="api, workers, temporal, postgres, mailbox, supervisor …")] = None,
    follow: Annotated[bool, typer.Option("--follow", "-f", help="Go on as lines come.")] = False,
    lines: Annotated[int, typer.Option("--lines", "-n", min=0, help="How many of the last lines to begin with.")] = 40,
) -> None:
    """Print the logs of one process, or of all."""
    from deploy import config, logs

    logs.show(config.load().state, name, lines=lines, follow=follow)


@app.command(rich_help_panel="Every day")
def token(
    user: Annotated[str, typer.Option(help="Whom the token is for (sub).")] = "user_123",
    scope: Annotated[str, typer.Option(help="user, service or admin.")] = "admin",
    tenant: Annotated[str, typer.Option(help="The organisation (organization_id).")] = "default",
    permission: Annotated[
        list[str] | None, typer.Option(help="Only this, such as audit:read; may be given again. Default: the scope's.")
    ] = None,
) -> None:
    """Print a token for this stack, valid for a week, and nothing else."""
    from deploy import config, tokens

    typer.echo(tokens.mint(config.load(), user=user, scope=scope, tenant=tenant, permissions=permission))


@app.command(rich_help_panel="Every day")
def mail(number: Annotated[int | None, typer.Argument(help="Print this one; 1 is the newest.")] = None) -> None:
    """List the mail that the local mailbox keeps, or print one."""
    from deploy import config
    from deploy import mail as kept

    stack = config.load()
    if number is None:
        kept.list_all(stack)
    elif not kept.print_one(stack, number):
        raise OpsCliError(f"There is no mail number {number}.", "`./ops mail` lists them.")


@app.command(rich_help_panel="Every day")
def demo() -> None:
    """Tell the platform's story against the running stack, step by step."""
    from deploy import config
    from deploy.demo import main

    main(config.load())


@app.command(rich_help_panel="When something is wrong")
def doctor() -> None:
    """Look for what is wrong and say how to mend it. Exit code 1 if anything is."""
    from deploy import config
    from deploy.doctor import examine

    if not examine(config.load()):
        raise typer.Exit(1)


@app.command(rich_help_panel="When something is wrong")
def migrate() -> None:
    """Bring the database to the newest schema (`up` does so too)."""
    from deploy import config, database

    database.migrate(config.load())


@app.command(rich_help_panel="When something is wrong")
def reset(yes: Annotated[bool, typer.Option("--yes", "-y", help="Do not ask.")] = False) -> None:
    """Stop the stack and delete its data: database, Temporal's history, mail and logs. Secrets stay."""
    from deploy import config, database

    stack = config.load()
    if not yes:
        typer.confirm(f"Delete all data under {stack.state.home}?", abort=True, err=True)
    database.reset(stack)


@app.command(context_settings=PASS_ON, rich_help_panel="Development")
def test(context: typer.Context) -> None:
    """Run the linters, the type checker and the whole test suite; with arguments, pytest alone with them.

    --extras: instead, the tests of detectors whose libraries take gigabytes, in an environment of their own.
    """
    from deploy.check import run

    raise typer.Exit(run(context.args))


@app.command(context_settings=PASS_ON, rich_help_panel="Development")
def bench(context: typer.Context) -> None:
    """Measure ours against the floor, print and keep the table (arguments go to the bench)."""
    from deploy.check import run_bench

    raise typer.Exit(run_bench(context.args))


compliance = typer.Typer(no_args_is_help=True, help="Measure the detectors of the compliance service.")
app.add_typer(compliance, name="compliance", rich_help_panel="Development")


@compliance.callback()
def _compliance() -> None:
    """Keeps `score` a command by its name even while it is the only one."""


@compliance.command()
def score(
    file: Annotated[
        Path, typer.Argument(help="Labelled texts (.jsonl, .jsonl.gz); for pii documents with spans (.json).")
    ],
    check_type: Annotated[str, typer.Option("--type", help="toxicity, pii, prompt_injection, nsfw or spam.")],
    scores: Annotated[
        Path | None, typer.Option("--out", help="Write label, score and flagged of each row here.")
    ] = None,
) -> None:
    """Print how well a shipped detector judges a labelled file."""
    from deploy.score import quiet
    from deploy.score import score as measure

    quiet()
    measure(file, check_type, scores)
