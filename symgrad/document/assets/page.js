for (const source of document.querySelectorAll(".source")) {
  const bar = document.createElement("span");
  bar.className = "copy";
  for (const figure of source.querySelectorAll("figure")) {
    const name = figure.querySelector("figcaption").textContent;
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.title = `Copy as ${name}`;
    button.addEventListener("click", async () => {
      const text = figure.querySelector("pre").textContent;
      let done = true;
      try {
        await navigator.clipboard.writeText(text);
      } catch {
        const area = document.createElement("textarea");
        area.value = text;
        document.body.append(area);
        area.select();
        done = document.execCommand("copy");
        area.remove();
      }
      button.textContent = done ? "copied" : "not copied";
      setTimeout(() => { button.textContent = name; }, 1200);
    });
    bar.append(button);
  }
  if (bar.children.length) source.after(bar);
}
