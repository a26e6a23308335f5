<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<title>{{get("title", "Shelf")}}</title>
<link rel="stylesheet" href="/style.css">
<link rel="icon" href="data:,">
</head>
<body>
<header>
<a class="brand" href="/">Shelf</a>
% if get("user"):
<form method="post" action="/logout" class="session">
<span>{{user}}</span><button class="quiet">Log out</button>
</form>
% end
</header>
<main>
{{!base}}
</main>
<footer>Files go from your browser straight to storage. This is the example for Bottle.</footer>
</body>
</html>
