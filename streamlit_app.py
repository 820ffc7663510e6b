"""The Trefpunt app: `streamlit run streamlit_app.py`. A project file is named by TREFPUNT_PROJECT."""

from gisapp.ui.app import main

main()
