"""The real app on the toy town: run by the browser test with ``streamlit run``."""

from toy_town import toy_assessment

from gisapp.ui import load
from gisapp.ui.app import main

load.assess_project = lambda path: toy_assessment()
main()
