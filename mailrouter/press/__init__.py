"""Published notes as files: pages, and the folder that web servers read. The one door to Jinja2 and markdown-it."""
