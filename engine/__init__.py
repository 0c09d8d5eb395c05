"""Everything that runs outside the web pages. This file is the public face."""
