"""What runs where training happens: needs torch, knows neither the database nor the pages."""
