"""Reports as data, rendered as Markdown and as HTML."""
