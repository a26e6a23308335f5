% rebase("layout", title="Log in – Shelf")
<section class="card narrow">
<h1>Log in</h1>
% if notice:
<p class="notice" role="alert">{{notice}}</p>
% end
<form method="post" action="/login">
<label for="username">Username</label>
<input id="username" name="username" autocomplete="username" autocapitalize="none" required autofocus>
<label for="password">Password</label>
<input id="password" name="password" type="password" autocomplete="current-password" required>
<button>Log in</button>
</form>
<h2>Users of this demo</h2>
<table class="users">
<thead><tr><th scope="col">Username</th><th scope="col">Password</th></tr></thead>
<tbody>
% for name, password in passwords.items():
<tr><td><code>{{name}}</code></td><td><code>{{password}}</code></td></tr>
% end
</tbody>
</table>
</section>
