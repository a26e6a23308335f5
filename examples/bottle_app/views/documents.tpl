% rebase("layout", user=user)
<section class="card">
<h1>Put something on your shelf</h1>
<form id="upload" method="post" enctype="multipart/form-data" action="/documents">
<label for="document">Files <span class="hint">(any size; choose files or drop them here)</span></label>
<input id="document" name="document" type="file" data-direct-upload multiple required>
<label for="title">Title <span class="hint">(optional)</span></label>
<input id="title" name="title" maxlength="200" autocomplete="off">
<button>Put on the shelf</button>
</form>
</section>
<section>
<h2>Your files</h2>
% if documents:
<ul class="items">
% for document in documents:
% upload = document.upload
<li>
<span class="kind" aria-hidden="true">{{upload.filename.rpartition(".")[2][:4]}}</span>
<div class="about">
<a href="/documents/{{upload.id}}" class="title"><bdi>{{document.title or upload.filename}}</bdi></a>
<div class="details"><bdi>{{upload.filename}}</bdi><span>{{document.readable_size}}</span>
<time datetime="{{upload.completed.isoformat()}}">{{upload.completed.strftime("%d %b %Y, %H:%M")}} UTC</time></div>
</div>
<form method="post" action="/documents/{{upload.id}}/delete">
<button class="quiet" aria-label="Delete {{upload.filename}}">Delete</button>
</form>
</li>
% end
</ul>
% else:
<p class="empty">No files yet.</p>
% end
</section>
