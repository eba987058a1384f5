"""What answers are made of: templates, readmes and files, found, rendered, kept in memory."""
