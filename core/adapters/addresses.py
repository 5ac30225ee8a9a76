"""Mail addresses as every mail server takes them."""

from email_validator import EmailNotValidError, validate_email


def in_ascii(address: str) -> str:
    """The same mailbox, its domain in ASCII (RFC 5891). What stands before the @ may still need SMTPUTF8."""
    if address.isascii():
        return address
    try:
        found = validate_email(address, check_deliverability=False)
    except EmailNotValidError:
        return address
    return f"{found.local_part}@{found.ascii_domain}"
