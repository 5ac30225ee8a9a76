"""What the local mailbox keeps, for a person to read."""

from datetime import UTC, datetime

from rich.markup import escape
from rich.table import Table

from deploy.config import Stack
from deploy.console import err, out
from deploy.local.mailbox import mails, read, text_of
from deploy.show import short


def list_all(stack: Stack) -> None:
    kept = mails(stack.state.mail)
    if not kept:
        err.print(f"No mail yet in {short(str(stack.state.mail))}.")
        return
    table = Table("no.", "kept", "to", "subject")
    for number, path in enumerate(kept, start=1):
        message = read(path)
        when = datetime.fromtimestamp(path.stat().st_mtime, UTC)
        row = (f"{when:%Y-%m-%d %H:%M:%S}Z", str(message["X-Envelope-To"]), str(message["Subject"] or ""))
        table.add_row(str(number), *map(escape, row))
    out.print(table)
    err.print("[bold]./ops mail 1[/] prints the newest.")


def print_one(stack: Stack, number: int) -> bool:
    """Print one mail, counted from the newest; False when there is none of that number."""
    kept = mails(stack.state.mail)
    if not 1 <= number <= len(kept):
        return False
    message = read(kept[number - 1])
    for header in ("Date", "From", "To", "Subject"):
        out.print(f"{header}: {message[header] or ''}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"\n{text_of(message)}", markup=False, highlight=False, soft_wrap=True)
    err.print(f"[dim]{escape(short(str(kept[number - 1])))}[/]")
    return True
