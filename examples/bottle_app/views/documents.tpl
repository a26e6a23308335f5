% rebase("layout", user=user)
% if saved:
<p class="message" role="status">{{"One file is" if saved == 1 else f"{saved} files are"}} on your shelf.</p>
% elif deleted:
<form class="message" method="post" action="/documents/{{deleted.upload.id}}/restore">
<span role="status">“{{deleted.title or deleted.upload.filename}}” was deleted.</span> <button class="quiet">Undo</button>
</form>
% end
<section class="card">
<h1>Put something on your shelf</h1>
<form id="upload" method="post" enctype="multipart/form-data" action="/documents">
<label for="document">Files <span class="hint">(any size)</span></label>
<direct-upload id="document" name="document" multiple required>
<input name="document" type="file" multiple required aria-label="Files">
</direct-upload>
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
<div class="details"><bdi>{{upload.filename}}</bdi><span>{{readable_size(upload.size)}}</span>
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
