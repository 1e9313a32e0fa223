/** Hands a text to the browser as a file to save; nothing is sent anywhere. */
export function saveText(name: string, text: string, type = "text/plain;charset=utf-8"): void {
  const address = URL.createObjectURL(new Blob([text], { type }));
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  // The download has taken its hold of the data by the next turn of the loop.
  setTimeout(() => URL.revokeObjectURL(address));
}
