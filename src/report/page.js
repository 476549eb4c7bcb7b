
"use strict";
(() => {
  const $ = (id) => document.getElementById(id);
  const all = (query, within = document) => [...within.querySelectorAll(query)];
  const body = document.body;
  const graph = $("graph"), canvas = $("canvas"), tools = $("tools"), details = $("details");
  body.classList.add("js");

  // What is drawn and listed, by number.
  const rows = all("#rows tr");
  const nodes = all(".node", graph);
  const pages = all(".project", details);
  const paths = all("path", graph).map((path) => {
    const [from, to] = path.dataset.e.split(" ").map(Number);
    return { path, from, to, d: path.getAttribute("d"), implied: path.classList.contains("implied") };
  });
  const needs = rows.map((row) => (row.dataset.needs ? row.dataset.needs.split(" ").map(Number) : []));
  const askers = rows.map(() => []);
  needs.forEach((list, from) => list.forEach((to) => askers[to].push(from)));
  // What is searched says what a project is and why; not whom it needs, or everybody would be found.
  const texts = rows.map((row, n) => [
    ...all("a, .num, .badge, .why b", row), ...all(".summary, dd, .plain", pages[n]),
  ].map((part) => part.textContent).join(" ").toLowerCase());
  const names = rows.map((row) => row.querySelector("a").textContent.toLowerCase());
  const homes = nodes.map((node) => {
    const [x, y] = node.getAttribute("transform").match(/-?\d+/g).map(Number);
    return { x, y, w: Number(node.dataset.w), c: Number(node.dataset.c) };
  });
  const reach = (start, edges) => {
    const seen = new Set(), todo = [start];
    while (todo.length) {
      for (const next of edges[todo.pop()]) {
        if (!seen.has(next)) { seen.add(next); todo.push(next); }
      }
    }
    return seen;
  };

  let chosen = -1, focus = false, scale = 1, size = [0, 0];

  // ---- filters
  const visible = () => {
    const kinds = new Set(all("[name=kind]:checked").map((box) => box.value));
    const flags = all("[name=flag]:checked").map((box) => box.value);
    const words = $("q").value.toLowerCase().split(/\s+/).filter(Boolean);
    const by = $("by").value;
    const below = by === "" ? null : $("deep").checked ? reach(Number(by), needs) : new Set(needs[Number(by)]);
    return rows.map((row, n) =>
      kinds.has(row.dataset.kind)
      && flags.every((flag) => flag in row.dataset)
      && (!below || below.has(n))
      && words.every((word) => texts[n].includes(word)));
  };

  const update = () => {
    const show = visible();
    rows.forEach((row, n) => { row.hidden = !show[n]; });
    const count = show.filter(Boolean).length;
    const filtered = count < rows.length;
    body.classList.toggle("filtered", filtered);
    $("shown").textContent = filtered ? `${count} of ${rows.length} projects` : `${rows.length} projects`;
    $("nothing").hidden = count > 0;
    let drawn = show;
    if (focus && chosen >= 0) {
      const near = new Set([chosen, ...reach(chosen, needs), ...reach(chosen, askers)]);
      drawn = show.map((shown, n) => near.has(n));
    }
    place(drawn);
  };

  // ---- the graph
  const place = (drawn) => {
    const whole = drawn.every(Boolean);
    let at = homes;
    if (whole) {
      size = [Number(graph.dataset.width), Number(graph.dataset.height)];
    } else {
      at = packed(drawn);
    }
    nodes.forEach((node, n) => {
      node.classList.toggle("gone", !drawn[n]);
      if (drawn[n]) node.setAttribute("transform", `translate(${at[n].x} ${at[n].y})`);
    });
    for (const edge of paths) {
      const both = drawn[edge.from] && drawn[edge.to];
      edge.path.classList.toggle("gone", !both);
      if (!both) continue;
      // What is left out may be what implied a line.
      edge.path.classList.toggle("implied", edge.implied && (whole || others(edge, drawn)));
      edge.path.setAttribute("d", whole && !edge.implied ? edge.d : curve(at[edge.from], at[edge.to]));
    }
    zoomTo(scale);
  };

  const others = (edge, drawn) => {
    const seen = new Set([edge.from]), todo = needs[edge.from].filter((n) => n !== edge.to && drawn[n]);
    while (todo.length) {
      const next = todo.pop();
      if (next === edge.to) return true;
      if (seen.has(next)) continue;
      seen.add(next);
      todo.push(...needs[next].filter((n) => drawn[n]));
    }
    return false;
  };

  // The columns stay in their order, without gaps.
  const packed = (drawn) => {
    const columns = new Map(), at = homes.map((home) => ({ ...home }));
    homes.forEach((home, n) => {
      if (!drawn[n]) return;
      if (!columns.has(home.c)) columns.set(home.c, []);
      columns.get(home.c).push(n);
    });
    const lone = columns.get(-1) || [];
    columns.delete(-1);
    const order = [...columns.keys()].sort((a, b) => a - b);
    const tallest = Math.max(0, ...order.map((c) => columns.get(c).length)) * 32;
    let x = 16;
    for (const c of order) {
      const list = columns.get(c).sort((a, b) => homes[a].y - homes[b].y);
      let y = 16 + (tallest - list.length * 32) / 2;
      for (const n of list) { at[n].x = x; at[n].y = y; y += 32; }
      x += Math.max(...list.map((n) => homes[n].w)) + 64;
    }
    let width = Math.max(x - 48, 0), height = tallest + 16, left = 16;
    if (lone.length) {
      height += 16;
      for (const n of lone) {
        if (left > 16 && left + homes[n].w > Math.max(width, 900)) { left = 16; height += 32; }
        at[n].x = left; at[n].y = height; left += homes[n].w + 16;
        width = Math.max(width, left);
      }
      height += 42;
    }
    size = [Math.max(width, 60), Math.max(height, 60)];
    return at;
  };

  const curve = (from, to) => {
    const x1 = from.x + from.w, y1 = from.y + 13, x2 = to.x, y2 = to.y + 13;
    if (x2 > x1) {
      const bend = Math.max((x2 - x1) / 2, 24);
      return `M${x1} ${y1}C${x1 + bend} ${y1} ${x2 - bend} ${y2} ${x2} ${y2}`;
    }
    return `M${from.x} ${y1}C${from.x - 40} ${y1} ${to.x + to.w + 40} ${y2} ${to.x + to.w} ${y2}`;
  };

  const zoomTo = (next, around) => {
    next = Math.min(2, Math.max(.12, next));
    const box = canvas.getBoundingClientRect();
    const [cx, cy] = around || [box.width / 2, box.height / 2];
    const x = (canvas.scrollLeft + cx) / scale, y = (canvas.scrollTop + cy) / scale;
    const moved = next !== scale;
    scale = next;
    graph.setAttribute("viewBox", `0 0 ${size[0]} ${size[1]}`);
    graph.setAttribute("width", Math.round(size[0] * scale));
    graph.setAttribute("height", Math.round(size[1] * scale));
    if (moved) { canvas.scrollLeft = x * scale - cx; canvas.scrollTop = y * scale - cy; }
  };
  const fit = (least = .12) => {
    const high = Math.min(window.innerHeight * .68, 768);
    zoomTo(Math.max(least, Math.min(1, (canvas.clientWidth - 2) / size[0], high / size[1])));
  };
  const reveal = (n) => {
    const box = canvas.getBoundingClientRect(), at = nodes[n].getBoundingClientRect();
    if (at.left < box.left + 40 || at.right > box.right - 40) canvas.scrollLeft += at.left + at.width / 2 - box.left - box.width / 2;
    if (at.top < box.top + 20 || at.bottom > box.bottom - 20) canvas.scrollTop += at.top + at.height / 2 - box.top - box.height / 2;
  };
  const highlight = () => {
    graph.classList.toggle("chosen", chosen >= 0);
    const near = new Set(), far = new Set();
    if (chosen >= 0) {
      [chosen, ...needs[chosen], ...askers[chosen]].forEach((n) => near.add(n));
      [...reach(chosen, needs), ...reach(chosen, askers)].forEach((n) => far.add(n));
    }
    const up = chosen < 0 ? far : new Set([chosen, ...reach(chosen, askers)]);
    const down = chosen < 0 ? far : new Set([chosen, ...reach(chosen, needs)]);
    nodes.forEach((node, n) => {
      node.classList.toggle("near", near.has(n));
      node.classList.toggle("far", far.has(n) && !near.has(n));
      node.classList.toggle("current", n === chosen);
      node.setAttribute("tabindex", n === (chosen < 0 ? 0 : chosen) ? "0" : "-1");
    });
    for (const { path, from, to } of paths) {
      const own = from === chosen || to === chosen;
      path.classList.toggle("near", own);
      path.classList.toggle("far", !own && ((up.has(from) && up.has(to)) || (down.has(from) && down.has(to))));
      if (own) path.parentNode.append(path);
    }
  };

  // ---- choosing
  const number = (anchor) => pages.findIndex((page) => "#" + page.id === anchor);
  const choose = (n, how = {}) => {
    const before = chosen;
    chosen = n;
    rows.forEach((row, i) => row.classList.toggle("current", i === n));
    pages.forEach((page, i) => page.classList.toggle("current", i === n));
    $("choose").hidden = n >= 0;
    body.classList.toggle("open", n >= 0);
    if (n < 0) setFocus(false);
    $("zoom").querySelector("[data-zoom=focus]").disabled = n < 0;
    if (focus && n !== before) update();
    highlight();
    if (n >= 0) {
      details.scrollTop = 0;
      if (!nodes[n].classList.contains("gone")) reveal(n);
      if (how.row) rows[n].scrollIntoView({ block: "nearest" });
    }
  };
  const go = (n) => {
    if (n < 0) { history.pushState(null, "", location.pathname + location.search); choose(-1); return; }
    if (location.hash !== "#" + pages[n].id) history.pushState(null, "", "#" + pages[n].id);
    choose(n);
  };
  const setFocus = (on) => {
    if (focus === on) return;
    focus = on;
    const button = $("zoom").querySelector("[data-zoom=focus]");
    button.setAttribute("aria-pressed", String(on));
    update();
    fit(.5);
    if (chosen >= 0 && !nodes[chosen].classList.contains("gone")) reveal(chosen);
  };
  const close = () => {
    const last = chosen;
    go(-1);
    if (last >= 0 && details.contains(document.activeElement)) rows[last].querySelector("a").focus();
  };

  document.addEventListener("click", (event) => {
    if (event.ctrlKey || event.metaKey || event.shiftKey) return;
    const link = event.target.closest("a[href^='#p-']");
    const row = event.target.closest("#rows tr");
    const n = link ? number(link.getAttribute("href")) : row ? Number(row.dataset.n) : -1;
    if (n < 0) return;
    event.preventDefault();
    go(n);
    const inside = details.contains(event.target);
    if (inside || getComputedStyle(details).position === "fixed") pages[n].focus({ preventScroll: true });
  });
  window.addEventListener("popstate", () => choose(number(location.hash)));
  $("close").addEventListener("click", close);
  $("back").addEventListener("click", () => history.back());
  tools.addEventListener("submit", (event) => {
    event.preventDefault();
    const first = rows.findIndex((row, n) => !row.hidden && names[n] === $("q").value.trim().toLowerCase());
    const n = first >= 0 ? first : rows.findIndex((row) => !row.hidden);
    if (n >= 0) go(n);
  });
  tools.addEventListener("input", () => { update(); });
  tools.addEventListener("change", () => { fit(.62); });
  tools.addEventListener("reset", () => setTimeout(() => { update(); fit(.62); }));
  $("zoom").addEventListener("click", (event) => {
    const what = event.target.dataset.zoom;
    if (what === "in") zoomTo(scale * 1.25);
    if (what === "out") zoomTo(scale / 1.25);
    if (what === "fit") fit();
    if (what === "focus") setFocus(!focus);
  });

  // ---- keys
  const step = (by) => {
    const open = rows.map((row, n) => n).filter((n) => !rows[n].hidden);
    if (!open.length) return;
    const at = open.indexOf(chosen);
    const n = open[Math.min(open.length - 1, Math.max(0, at < 0 ? 0 : at + by))];
    history.replaceState(null, "", "#" + pages[n].id);
    choose(n, { row: true });
  };
  // The nearest box in a direction, along lines where it is sideways.
  const walk = (n, key) => {
    const open = (list) => list.filter((m) => m !== n && !nodes[m].classList.contains("gone"));
    const box = (m) => nodes[m].getBoundingClientRect();
    const near = (list) => open(list).sort((a, b) => Math.abs(box(a).y - box(n).y) - Math.abs(box(b).y - box(n).y))[0];
    if (key === "ArrowRight") return near(needs[n]);
    if (key === "ArrowLeft") return near(askers[n]);
    const same = homes.map((home, m) => m).filter((m) => homes[m].c === homes[n].c);
    const side = open(same).filter((m) => (key === "ArrowDown" ? box(m).y > box(n).y : box(m).y < box(n).y));
    return near(side);
  };
  graph.addEventListener("keydown", (event) => {
    const node = event.target.closest(".node");
    if (!node || !event.key.startsWith("Arrow")) return;
    event.preventDefault();
    const next = walk(Number(node.dataset.n), event.key);
    if (next === undefined) return;
    history.replaceState(null, "", "#" + pages[next].id);
    choose(next);
    nodes[next].focus({ preventScroll: true });
  });
  document.addEventListener("keydown", (event) => {
    if (event.ctrlKey || event.metaKey || event.altKey) return;
    const typing = event.target.matches("input[type=search], select");
    if (event.key === "Escape") {
      if (typing && $("q").value) { $("q").value = ""; update(); } else if (chosen >= 0) close();
      return;
    }
    if (typing) return;
    const keys = {
      "/": () => { $("q").focus(); $("q").select(); },
      j: () => step(1), k: () => step(-1),
      f: () => { if (chosen >= 0) setFocus(!focus); },
      "+": () => zoomTo(scale * 1.25), "=": () => zoomTo(scale * 1.25), "-": () => zoomTo(scale / 1.25), 0: () => fit(),
    };
    if (keys[event.key]) { event.preventDefault(); keys[event.key](); }
  });

  // ---- the mouse: drag to move, pinch or Ctrl and wheel to zoom
  let grab = null, moved = false;
  canvas.addEventListener("pointerdown", (event) => {
    moved = false;
    if (event.pointerType === "mouse" && event.button === 0) grab = [event.clientX, event.clientY, canvas.scrollLeft, canvas.scrollTop];
  });
  window.addEventListener("pointermove", (event) => {
    if (!grab) return;
    const [x, y] = [event.clientX - grab[0], event.clientY - grab[1]];
    if (!moved && Math.hypot(x, y) < 5) return;
    moved = true;
    canvas.classList.add("drag");
    canvas.scrollLeft = grab[2] - x;
    canvas.scrollTop = grab[3] - y;
  });
  window.addEventListener("pointerup", () => { grab = null; canvas.classList.remove("drag"); });
  canvas.addEventListener("dragstart", (event) => event.preventDefault());
  canvas.addEventListener("click", (event) => { if (moved) { event.preventDefault(); event.stopPropagation(); moved = false; } }, true);
  canvas.addEventListener("wheel", (event) => {
    if (!event.ctrlKey) return;
    event.preventDefault();
    const box = canvas.getBoundingClientRect();
    zoomTo(scale * Math.exp(-event.deltaY / 300), [event.clientX - box.left, event.clientY - box.top]);
  }, { passive: false });

  // What sticks stays clear of the filters, however high they are.
  new ResizeObserver(() => {
    const sticks = getComputedStyle(tools).position === "sticky";
    document.documentElement.style.setProperty("--tools", (sticks ? tools.offsetHeight : 0) + "px");
  }).observe(tools);

  update();
  fit(.62);
  choose(number(location.hash));
  if (chosen < 0) {
    const first = nodes.find((node) => node.classList.contains("direct") && homes[node.dataset.n].c === 0);
    if (first) reveal(Number(first.dataset.n));
  } else {
    // The browser goes to the section that the address names, which is beside the list.
    addEventListener("load", () => { details.scrollTop = 0; scrollTo(0, 0); });
  }
})();
