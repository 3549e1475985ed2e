// Refreshes the live part of the status page once a second, while somebody looks at it.
"use strict";
(() => {
  const live = document.getElementById("live");
  if (!live) return;
  const refresh = async () => {
    const typing = live.contains(document.activeElement);
    if (!document.hidden && !typing) {
      try {
        const answer = await fetch(live.dataset.source, { cache: "no-store" });
        if (answer.status === 401) { location.assign("/login"); return; }
        live.classList.toggle("stale", !answer.ok);
        if (answer.ok) live.innerHTML = await answer.text();
      } catch {
        live.classList.add("stale");
      }
    }
    setTimeout(refresh, 1000);
  };
  setTimeout(refresh, 1000);
})();
