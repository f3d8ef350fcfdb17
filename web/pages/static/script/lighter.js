// On a slow link: pictures may be made smaller on the device before they are sent.
import { drawn, element, word } from "./sending.js";

const LONG_SIDE = 2400;
// Bytes: worth it.
const HEAVY = 1e6;

export function offerSmaller(form) {
  const tick = element("input", { type: "checkbox", checked: true });
  const label = element("label", { className: "tick" }, tick, word("lighter"));
  form.querySelector("button.main")?.before(label);
  return tick;
}

export async function smaller(file) {
  if (!/^image\/(jpeg|png|webp)$/.test(file.type) || file.size < HEAVY) return file;
  const picture = await createImageBitmap(file);
  const scale = Math.min(1, LONG_SIDE / Math.max(picture.width, picture.height));
  const canvas = drawn(picture, Math.round(picture.width * scale), Math.round(picture.height * scale));
  picture.close();
  const made = await new Promise((resolve) => canvas.toBlob(resolve, "image/jpeg", 0.85));
  if (!made || made.size >= file.size) return file;
  return new File([made], file.name.replace(/\.\w+$/, ".jpg"), { type: "image/jpeg" });
}
