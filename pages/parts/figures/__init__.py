"""Charts as pure functions: records in, ECharts options or Plotly figures out. No Streamlit here."""
