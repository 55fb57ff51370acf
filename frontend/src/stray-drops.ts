/** What is dropped beside its target: left to itself, the browser would open it in place of the page. */

for (const type of ['dragover', 'drop'] as const) {
  addEventListener(type, (event) => {
    const fields = event.dataTransfer?.types.includes('Files') ? 'input[type=file]' : 'input, textarea';
    if (!event.dataTransfer || (event.target as Element).closest(fields)) return;
    event.preventDefault();
    event.dataTransfer.dropEffect = 'none';
  });
}
