"""What pages that have not moved to the shell yet still use."""

from backtest.pages.shell import ASSETS as NEW
from backtest.pages.shell import PageContext, content_security_policy, plotly_bundle

ASSETS = NEW / "old"
STYLES = ("base.css", "report.css", "tables.css", "phone.css", "print.css")
__all__ = ["ASSETS", "STYLES", "PageContext", "content_security_policy", "plotly_bundle"]
