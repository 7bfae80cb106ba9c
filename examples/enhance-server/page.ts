/** A page to try the server by hand. */
export const PAGE = `<!doctype html>
<html lang="en">
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Brighter photographs</title>
<style>
  body { font: 1rem system-ui; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
  figure { margin: 1rem 0; display: grid; grid-template-columns: 1fr 1fr; gap: 1rem }
  img { width: 100% } progress { width: 100% }
</style>
<h1>Brighter photographs</h1>
<p><input type="file" accept="image/*" id="file"> <span id="state"></span></p>
<progress id="bar" value="0" max="1" hidden></progress>
<figure><img id="before" alt=""><img id="after" alt=""></figure>
<script type="module">
  const at = (id) => document.getElementById(id)
  at('file').onchange = async ({ target }) => {
    const [file] = target.files
    if (!file) return
    at('before').src = URL.createObjectURL(file)
    at('after').removeAttribute('src')
    const answer = await fetch('/pictures', { method: 'POST', headers: { 'content-type': file.type }, body: file })
    const body = await answer.json()
    if (!answer.ok) { at('state').textContent = body.message; return }
    const events = new EventSource(body.events)
    events.onmessage = ({ data }) => {
      const state = JSON.parse(data)
      at('bar').hidden = state.kind !== 'running'
      if (state.kind === 'running') { at('bar').max = state.total; at('bar').value = state.done }
      at('state').textContent = { waiting: state.ahead + ' ahead', running: state.stage, done: '', failed: state.message }[state.kind]
      if (state.kind === 'done') at('after').src = body.result
      if (state.kind === 'done' || state.kind === 'failed') events.close()
    }
  }
</script>
</html>
`
