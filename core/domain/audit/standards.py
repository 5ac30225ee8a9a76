"""The standards a report can be held against: each control, and the activity in the log that shows it at work."""

from typing import Final, NamedTuple

from core.contracts.audit import Outcome, Selection, Standard

UNSUCCESSFUL: Final = (Outcome.FAILURE, Outcome.DENIED)
EVERYTHING: Final = ("*",)


class Requirement(NamedTuple):
    """One control as its standard words it, with what to look for."""

    reference: str
    title: str
    types: tuple[str, ...] = ()
    categories: tuple[str, ...] = ()
    outcomes: tuple[Outcome, ...] = ()


class Framework(NamedTuple):
    """A standard in the edition the controls are quoted from."""

    title: str
    requirements: tuple[Requirement, ...]


_SIGN_IN, _RIGHTS, _INCIDENTS = ("authentication",), ("authorization",), ("security",)
_INCIDENT_TYPES: Final = ("incident.*", "breach.*")
_PERSONAL_DATA: Final = ("personal_data.*", "pii.*", "profile.*", "user.profile.*", "compliance.pii.*")
_LEAVING: Final = (
    "data.export",
    "data.export.*",
    "export.*",
    "file.download",
    "file.export",
    "file.share",
    "report.export",
)
_DELETING: Final = ("erasure.*", "privacy.erasure.*", "data.delete", "data.deleted", "file.delete", "file.deleted",
                    "user.delete", "user.deleted", "account.delete", "account.deleted")  # fmt: skip
_ACCOUNTS: Final = ("user.create", "user.created", "user.signup", "user.delete", "user.deleted", "user.disable",
                    "user.disabled", "user.invite", "user.invited", "account.*")  # fmt: skip
_CREDENTIALS: Final = ("password.*", "mfa.*", "token.*", "api_key.*", "user.password.*", "user.password_change")
_BACKUPS: Final = ("backup.*", "restore.*", "system.backup.*", "system.restore.*")
_MALWARE: Final = ("malware.*", "security.malware.*")
_AUDIT_ITSELF: Final = ("audit.*", "security.report.*", "compliance.report.*")
_CHANGES: Final = ("deployment.*", "release.*", "system.update", "system.maintenance")

GDPR: Final = Framework(
    "General Data Protection Regulation (EU) 2016/679",
    (
        Requirement("Art. 5(1)(f)", "Integrity and confidentiality", categories=(*_SIGN_IN, *_RIGHTS, *_INCIDENTS)),
        Requirement("Art. 7", "Conditions for consent", ("consent.*", "privacy.consent.*")),
        Requirement("Art. 15", "Right of access by the data subject", (*_LEAVING, "privacy.access.*", "gdpr.access.*")),
        Requirement("Art. 17", "Right to erasure", _DELETING),
        Requirement("Art. 25", "Data protection by design and by default", categories=("configuration", "privacy")),
        Requirement("Art. 30", "Records of processing activities", _PERSONAL_DATA, ("data_access", "data_change")),
        Requirement("Art. 32", "Security of processing", categories=(*_SIGN_IN, *_RIGHTS)),
        Requirement("Art. 33", "Notification of a personal data breach", _INCIDENT_TYPES, _INCIDENTS),
    ),
)
SOC2: Final = Framework(
    "SOC 2, Trust Services Criteria 2017",
    (
        Requirement("CC6.1", "Logical access security", categories=(*_SIGN_IN, *_RIGHTS)),
        Requirement("CC6.2", "Registration and removal of users", _ACCOUNTS),
        Requirement("CC6.3", "Access by role and least privilege", categories=_RIGHTS),
        Requirement("CC6.7", "Transmission and removal of information", _LEAVING),
        Requirement("CC6.8", "Unauthorized or malicious software", _MALWARE),
        Requirement("CC7.2", "Monitoring for anomalies", categories=_INCIDENTS),
        Requirement("CC7.3", "Evaluation of security events", ("security.alert.*", *_INCIDENT_TYPES)),
        Requirement("CC8.1", "Change management", _CHANGES, ("configuration",)),
        Requirement("A1.2", "Backup and recovery", _BACKUPS),
    ),
)
HIPAA: Final = Framework(
    "HIPAA Security Rule, 45 CFR Part 164 Subpart C",
    (
        Requirement("§164.308(a)(1)(ii)(D)", "Information system activity review", _AUDIT_ITSELF),
        Requirement("§164.308(a)(3)", "Workforce security", _ACCOUNTS, _RIGHTS),
        Requirement("§164.308(a)(5)(ii)(C)", "Log-in monitoring", categories=_SIGN_IN),
        Requirement("§164.308(a)(6)", "Security incident procedures", _INCIDENT_TYPES, _INCIDENTS),
        Requirement("§164.308(a)(7)", "Contingency plan", _BACKUPS),
        Requirement("§164.312(a)(1)", "Access control", ("record.*", "patient.*"), ("data_access",)),
        Requirement("§164.312(b)", "Audit controls", EVERYTHING),
        Requirement("§164.312(c)(1)", "Integrity", categories=("data_change",)),
        Requirement("§164.312(d)", "Person or entity authentication", _CREDENTIALS, _SIGN_IN),
        Requirement("§164.312(e)(1)", "Transmission security", _LEAVING),
    ),
)
PCI_DSS: Final = Framework(
    "PCI DSS v4.0",
    (
        Requirement("7.2", "Access is defined and assigned", categories=_RIGHTS),
        Requirement("8.2", "User identification and accounts", _ACCOUNTS),
        Requirement("8.3", "Strong authentication", _CREDENTIALS, _SIGN_IN),
        Requirement("10.2.1.1", "Individual access to cardholder data", ("card.*", "cardholder.*"), ("payment",)),
        Requirement("10.2.1.2", "Actions with administrative access", ("admin.*",), ("configuration", *_RIGHTS)),
        Requirement("10.2.1.3", "Access to audit logs", _AUDIT_ITSELF),
        Requirement("10.2.1.4", "Invalid access attempts", categories=(*_SIGN_IN, *_RIGHTS), outcomes=UNSUCCESSFUL),
        Requirement("10.2.1.5", "Changes to credentials", _CREDENTIALS),
        Requirement("10.2.1.7", "Creation and deletion of objects", _DELETING, ("data_change",)),
        Requirement("12.10", "Incident response", _INCIDENT_TYPES, _INCIDENTS),
    ),
)
ISO27001: Final = Framework(
    "ISO/IEC 27001:2022, Annex A",
    (
        Requirement("A.5.15", "Access control", categories=_RIGHTS),
        Requirement("A.5.16", "Identity management", _ACCOUNTS),
        Requirement("A.5.25", "Assessment of security events", ("security.alert.*", *_INCIDENT_TYPES)),
        Requirement("A.5.34", "Privacy and protection of personal data", _PERSONAL_DATA, ("privacy",)),
        Requirement("A.8.2", "Privileged access rights", ("admin.*",), _RIGHTS),
        Requirement("A.8.3", "Information access restriction", categories=("data_access",)),
        Requirement("A.8.5", "Secure authentication", _CREDENTIALS, _SIGN_IN),
        Requirement("A.8.7", "Protection against malware", _MALWARE),
        Requirement("A.8.9", "Configuration management", categories=("configuration",)),
        Requirement("A.8.10", "Information deletion", _DELETING),
        Requirement("A.8.12", "Data leakage prevention", _LEAVING),
        Requirement("A.8.13", "Information backup", _BACKUPS),
        Requirement("A.8.15", "Logging", EVERYTHING),
        Requirement("A.8.16", "Monitoring activities", categories=_INCIDENTS),
        Requirement("A.8.32", "Change management", _CHANGES, ("configuration",)),
    ),
)
FRAMEWORKS: Final = {
    Standard.GDPR: GDPR,
    Standard.SOC2: SOC2,
    Standard.HIPAA: HIPAA,
    Standard.PCI_DSS: PCI_DSS,
    Standard.ISO27001: ISO27001,
}

# Questions every auditor asks, whatever the standard.
SECTIONS: Final = (
    ("failed_logins", "Failed logins", Selection(key="failed_logins", categories=_SIGN_IN, outcomes=UNSUCCESSFUL)),
    (
        "privileged_actions", "Privileged actions",
        Selection(key="privileged_actions", types=("admin.*",), categories=("configuration", *_RIGHTS)),
    ),
    (
        "personal_data_access", "Access to personal data",
        Selection(key="personal_data_access", types=_PERSONAL_DATA, categories=("data_access", "privacy")),
    ),
    ("data_leaving", "Data exported, downloaded or shared", Selection(key="data_leaving", types=_LEAVING)),
    (
        "denied_access", "Access that was denied",
        Selection(key="denied_access", types=EVERYTHING, outcomes=(Outcome.DENIED,)),
    ),
    (
        "security_events", "Security events",
        Selection(key="security_events", types=_INCIDENT_TYPES, categories=_INCIDENTS),
    ),
)  # fmt: skip


def control_selections(standard: Standard) -> list[Selection]:
    """What to look for in the log for each control, keyed by the control's reference."""
    return [
        Selection(key=r.reference, types=r.types, categories=r.categories, outcomes=r.outcomes)
        for r in FRAMEWORKS[standard].requirements
    ]


def section_selections() -> list[Selection]:
    """What to look for in the log for each section, keyed by the section's key."""
    return [selection for _, _, selection in SECTIONS]
