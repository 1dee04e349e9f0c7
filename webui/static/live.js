/* Live parts: timers, never a swap under the focus, the stale mark, and the stream closed while the tab is hidden.
   Everything works without this file; it only saves a reload. */
(function () {
  'use strict'
  var body = document.body
  var last = Date.now()
  var stale = false
  var missed = false

  function holds(target) {
    var focus = document.activeElement
    if (focus && focus !== body && target.contains(focus)) return true
    var range = window.getSelection()
    return !!(range && !range.isCollapsed && range.anchorNode && target.contains(range.anchorNode))
  }

  /* Rule: what holds the focus, a selection or an open form is not swapped; the newest state is fetched when it leaves. */
  body.addEventListener('htmx:oobBeforeSwap', function (event) {
    if (holds(event.detail.target)) {
      event.detail.shouldSwap = false
      missed = true
    }
  })
  body.addEventListener('htmx:oobErrorNoTarget', function (event) { event.preventDefault() })
  body.addEventListener('focusout', function () {
    if (missed) window.setTimeout(again, 50)
  })

  function two(n) { return (n < 10 ? '0' : '') + n }
  function tick() {
    document.querySelectorAll('[data-since]').forEach(function (one) {
      var seconds = Math.max(0, Math.floor((Date.now() + offset - Date.parse(one.dataset.since)) / 1000))
      var text = Math.floor(seconds / 60) + ':' + two(seconds % 60)
      if (one.textContent !== text) one.textContent = text
    })
    if (!stale && body.hasAttribute('sse-connect') && !document.hidden && Date.now() - last > 40000) {
      stale = true
      var at = new Date(last)
      var words = document.getElementById('small-words')
      if (words) words.textContent = (body.dataset.stale || '').replace('{time}', two(at.getHours()) + ':' + two(at.getMinutes()))
      body.classList.add('is-stale')
    }
  }
  var offset = Number(body.dataset.offset || 0) * 1000
  window.setInterval(tick, 1000)
  tick()

  function alive() {
    last = Date.now()
    if (stale) { stale = false; body.classList.remove('is-stale') }
  }

  /* The stream that the SSE extension gets. It can be closed and opened again without losing its listeners, because a
     browser allows six connections to one host and a hidden tab gives its own back. */
  var current = null
  function Stream(url) {
    this.url = url
    this.list = []
    this.open()
    current = this
  }
  Stream.prototype.open = function () {
    var self = this
    if (this.source) this.source.close()
    this.source = new EventSource(this.url)
    this.source.onopen = function (event) { alive(); if (self.onopen) self.onopen(event) }
    this.source.onerror = function (event) { if (self.onerror) self.onerror(event) }
    this.source.addEventListener('beat', alive)
    this.source.addEventListener('live', alive)
    this.list.forEach(function (pair) { self.source.addEventListener(pair[0], pair[1]) })
  }
  Stream.prototype.addEventListener = function (name, heard) {
    this.list.push([name, heard])
    this.source.addEventListener(name, heard)
  }
  Stream.prototype.removeEventListener = function (name, heard) { this.source.removeEventListener(name, heard) }
  Stream.prototype.close = function () { this.source.close() }
  Object.defineProperty(Stream.prototype, 'readyState', { get: function () { return this.source.readyState } })
  htmx.createEventSource = function (url) { return new Stream(url) }

  function again() {
    if (!current || document.hidden) return
    missed = false
    current.open()
  }
  document.addEventListener('visibilitychange', function () {
    if (!current) return
    if (document.hidden) current.close()
    else again()
  })

  /* A code is copied with one press; without a script it can be marked and copied like any text. */
  document.querySelectorAll('[data-copy]').forEach(function (one) { one.hidden = !navigator.clipboard })
  document.addEventListener('click', function (event) {
    var button = event.target.closest('[data-copy]')
    if (!button) return
    navigator.clipboard.writeText(button.dataset.copy).then(function () { button.textContent = button.dataset.copied })
  })

  /* Filters ask at once. */
  document.addEventListener('change', function (event) {
    var form = event.target.closest('form.filters')
    if (form) form.requestSubmit()
  })
  /* "/" goes to the search field. */
  document.addEventListener('keydown', function (event) {
    if (event.key !== '/' || event.ctrlKey || event.metaKey || event.altKey) return
    if (/^(INPUT|TEXTAREA|SELECT)$/.test(document.activeElement.tagName)) return
    var field = document.querySelector('input[type=search]')
    if (field) { event.preventDefault(); field.focus() }
  })
  document.documentElement.classList.add('has-script')
})()
