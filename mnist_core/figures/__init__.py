"""Plain data as Plotly figures or ECharts options."""
