/* What the page does in the browser: one function for each part of it that Gradio shows as HTML. Gradio gives the part's
   `element`, `trigger(event, data)`, which calls the listener in Python, and `watch("value", f)`, which calls `f` after every
   change. Text reaches the page through textContent only. */

/* Questions and answers: the card on a citation, and the buttons under an answer. */
function conversation(element, trigger, watch) {
  const tip = document.createElement('div');
  tip.className = 'cw-tip';
  tip.setAttribute('role', 'tooltip');
  tip.hidden = true;
  document.body.append(tip);
  let shown = null;
  const hide = () => { tip.hidden = true; shown = null; };
  const place = () => {
    if (!shown || !shown.isConnected) return hide();
    const at = shown.getBoundingClientRect(), width = tip.offsetWidth, height = tip.offsetHeight;
    const left = Math.min(at.left + at.width / 2 - width / 2, document.documentElement.clientWidth - width - 8);
    const below = at.bottom + height + 8 < innerHeight;
    tip.style.left = Math.max(8, left) + 'px';
    tip.style.top = (below ? at.bottom + 8 : Math.max(8, at.top - height - 8)) + 'px';
  };
  const show = (chip) => {
    tip.replaceChildren();
    const quote = document.createElement('q'), words = document.createElement('mark');
    words.textContent = chip.dataset.words;
    quote.append(chip.dataset.before, ...(chip.dataset.words ? [words] : []), chip.dataset.after);
    tip.append(quote);
    for (const [name, key] of [['b', 'title'], ['span', 'source']]) {
      const part = document.createElement(name);
      part.textContent = chip.dataset[key];
      tip.append(part);
    }
    tip.hidden = false;
    shown = chip;
    place();
  };
  for (const [event, act] of [['pointerover', show], ['focusin', show], ['pointerout', hide], ['focusout', hide]])
    element.addEventListener(event, (e) => { const chip = e.target.closest('.cw-chip'); if (chip) act(chip); });
  document.addEventListener('keydown', (e) => { if (e.key === 'Escape') hide(); });
  document.addEventListener('scroll', place, true);
  element.addEventListener('click', (e) => {
    const button = e.target.closest('[data-do]');
    if (!button) return;
    const data = button.dataset;
    hide();
    if (data.do === 'open' || data.do === 'sources') {
      window.cwOpener = button;
      window.cwMove = true;
      trigger('click', {turn: data.turn, n: data.n || ''});
    }
    if (data.do === 'ask') trigger('select', {question: data.q});
    if (data.do === 'edit') {
      trigger('edit', {question: data.q});
      document.querySelector('#cw-question textarea').focus();
    }
    if (data.do === 'wrong') {
      const form = document.createElement('form'), reason = document.createElement('input'), send = document.createElement('button');
      form.className = 'cw-wrong';
      reason.placeholder = 'What is wrong with it?';
      reason.setAttribute('aria-label', 'What is wrong with this answer?');
      reason.maxLength = 2000;
      send.textContent = 'Keep this report';
      form.append(reason, send);
      form.addEventListener('submit', (e) => {
        e.preventDefault();
        trigger('like', {turn: data.turn, reason: reason.value});
        form.remove();
      });
      button.closest('footer').after(form);
      button.remove();
      reason.focus();
    }
    if (data.do === 'copy') navigator.clipboard.writeText(data.copy).then(() => {
      button.textContent = 'Copied';
      setTimeout(() => { button.textContent = 'Copy'; }, 1500);
    });
  });
  let turns = 0;
  watch('value', () => {
    const all = element.querySelectorAll('.cw-turn');
    if (all.length > turns) all[all.length - 1].scrollIntoView({block: 'start'});
    turns = all.length;
  });
}

/* The sources, or one article opened at the cited sentence. */
function sources(element, trigger, watch) {
  element.addEventListener('click', (e) => {
    const button = e.target.closest('[data-do]');
    if (!button) return;
    window.cwMove = true;
    if (button.dataset.do === 'open') window.cwOpener = null;
    trigger('click', {turn: button.dataset.turn, n: button.dataset.n || ''});
  });
  element.addEventListener('keydown', (e) => {
    if (e.key === 'Escape' && window.cwOpener && window.cwOpener.isConnected) window.cwOpener.focus();
  });
  let view = '';
  watch('value', () => {
    const side = element.closest('#cw-side'), now = element.firstElementChild.dataset.view;
    if (now !== view) side.scrollTop = 0;
    view = now;
    if (!window.cwMove) return;
    window.cwMove = false;
    const hit = element.querySelector('.cw-hit'), head = element.querySelector('h2');
    const calm = matchMedia('(prefers-reduced-motion: reduce)').matches;
    if (hit) {
      hit.focus({preventScroll: true});
      hit.scrollIntoView({block: 'center', behavior: calm ? 'auto' : 'smooth'});
    } else if (head) {
      head.focus({preventScroll: true});
      head.scrollIntoView({block: 'nearest'});
    }
  });
}

/* The list of articles. */
function articles(element, trigger, watch) {
  element.addEventListener('click', (e) => {
    const button = e.target.closest('[data-do]');
    if (!button) return;
    button.disabled = true;
    trigger('click', {do: button.dataset.do, id: button.dataset.id});
  });
}

/* The kept conversations. Deleting asks once more; a conversation to be saved comes with the list. */
function history(element, trigger, watch) {
  element.addEventListener('click', (e) => {
    const button = e.target.closest('[data-do]');
    if (!button) return;
    if (button.dataset.do === 'delete' && !button.dataset.sure) {
      button.dataset.sure = '1';
      button.textContent = 'Delete for good?';
      return;
    }
    trigger('click', {do: button.dataset.do, id: button.dataset.id});
  });
  watch('value', () => {
    const list = element.firstElementChild;
    if (!list || !list.dataset.file) return;
    const link = document.createElement('a');
    link.href = URL.createObjectURL(new Blob([list.dataset.text], {type: 'text/plain'}));
    link.download = list.dataset.file;
    link.click();
    setTimeout(() => URL.revokeObjectURL(link.href), 1000);
  });
}
