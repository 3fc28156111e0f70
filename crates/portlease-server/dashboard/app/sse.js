// Server-sent events out of the bytes of an answer. The browser's own reader cannot send a token.

/** @typedef {{ id: string, data: string }} Message */

/**
 * The messages of a stream, and `undefined` for each comment, by which the service shows that it is there.
 * @param {ReadableStream<Uint8Array>} stream
 * @returns {AsyncGenerator<Message | undefined>}
 */
export async function* messages(stream) {
  const reader = stream.getReader();
  const decoder = new TextDecoder();
  let rest = "";
  let id = "";
  /** @type {string[]} */
  let data = [];
  try {
    for (;;) {
      const { done, value } = await reader.read();
      if (done) {
        return;
      }
      const lines = (rest + decoder.decode(value, { stream: true })).split(/\r?\n/);
      rest = lines.pop() ?? "";
      for (const line of lines) {
        if (line === "") {
          if (data.length > 0) {
            yield { id, data: data.join("\n") };
          }
          data = [];
        } else if (line.startsWith(":")) {
          yield undefined;
        } else {
          const [, field, text = ""] = /^([^:]*)(?:: ?(.*))?$/s.exec(line) ?? [];
          if (field === "data") {
            data.push(text);
          } else if (field === "id") {
            id = text;
          }
        }
      }
    }
  } finally {
    await reader.cancel().catch(() => {});
  }
}
