"""The report of a run."""

from portsync.report.exit_code import exit_code_of
from portsync.report.resource import MOST_PROBLEMS, ResourceReport
from portsync.report.run import Report, problem_as_json

__all__ = ["MOST_PROBLEMS", "Report", "ResourceReport", "exit_code_of", "problem_as_json"]
