/** The very pixels in a picture file. */

import { blank, type Pixels } from './pillow';

/**
 * A 2D canvas multiplies transparency in and loses colours by that; WebGL hands out what was decoded. Where there is
 * none, or the picture is too large for it, the canvas has to do: what is translucent is then not `exact`.
 */
export async function readPixels(picture: Blob): Promise<Pixels & { readonly exact: boolean }> {
  const bitmap = await createImageBitmap(picture, { premultiplyAlpha: 'none', colorSpaceConversion: 'none' });
  const decoded = byWebGl(bitmap);
  const { width, height, data } = decoded ?? byCanvas(bitmap);
  return { width, height, data, exact: decoded !== null || isOpaque(data) };
}

export function isOpaque(data: Uint8ClampedArray): boolean {
  return data.every((byte, index) => index % 4 !== 3 || byte === 255);
}

function byWebGl(bitmap: ImageBitmap): Pixels | null {
  const gl = new OffscreenCanvas(1, 1).getContext('webgl2');
  if (!gl || Math.max(bitmap.width, bitmap.height) > gl.getParameter(gl.MAX_TEXTURE_SIZE)) return null;
  const pixels = blank(bitmap);
  const texture = gl.createTexture();
  gl.bindTexture(gl.TEXTURE_2D, texture);
  gl.texImage2D(gl.TEXTURE_2D, 0, gl.RGBA, gl.RGBA, gl.UNSIGNED_BYTE, bitmap);
  gl.bindFramebuffer(gl.FRAMEBUFFER, gl.createFramebuffer());
  gl.framebufferTexture2D(gl.FRAMEBUFFER, gl.COLOR_ATTACHMENT0, gl.TEXTURE_2D, texture, 0);
  gl.readPixels(0, 0, pixels.width, pixels.height, gl.RGBA, gl.UNSIGNED_BYTE, new Uint8Array(pixels.data.buffer));
  const failed = gl.getError() !== gl.NO_ERROR;
  gl.getExtension('WEBGL_lose_context')?.loseContext();
  return failed ? null : pixels;
}

function byCanvas(bitmap: ImageBitmap): Pixels {
  const canvas = new OffscreenCanvas(bitmap.width, bitmap.height);
  const context = canvas.getContext('2d') as OffscreenCanvasRenderingContext2D;
  context.drawImage(bitmap, 0, 0);
  return context.getImageData(0, 0, bitmap.width, bitmap.height);
}
