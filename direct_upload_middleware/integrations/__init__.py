"""At home in frameworks and deployment tools. Each module is imported only by those who use it."""
