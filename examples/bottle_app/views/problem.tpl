% rebase("layout", title=f"{title} – Shelf")
<section class="card narrow">
<h1>{{title}}</h1>
<p>{{detail}}</p>
<p><a href="/">Back to the shelf</a></p>
</section>
