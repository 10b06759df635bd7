// Without a GPU browsers compute WebGL in software, a hundred thousand dots in a tenth of a second:
// several times as long as our own pixels take.
function isSoftware(gl) {
  const info = gl.getExtension("WEBGL_debug_renderer_info");
  return !!info && /swiftshader|llvmpipe|software|basic render/i.test(gl.getParameter(info.UNMASKED_RENDERER_WEBGL));
}

// All dots in one call of WebGL; throws where there is none, or no GPU for it.
class WebGLDots {
  constructor(canvas) {
    const options = { alpha: false, antialias: false, depth: false, failIfMajorPerformanceCaveat: true };
    const gl = canvas.getContext("webgl", options);
    if (!gl || isSoftware(gl)) throw new Error("no WebGL");
    this.canvas = canvas;
    this.gl = gl;
    const program = gl.createProgram();
    this.shader(program, gl.VERTEX_SHADER, `
      attribute vec2 at; attribute vec4 color;
      uniform vec2 scale, shift; uniform float size;
      varying vec4 tint;
      void main() {
        tint = color;
        gl_Position = color.a == 0. ? vec4(2., 2., 2., 1.) : vec4(at * scale + shift, 0., 1.);
        gl_PointSize = size;
      }`);
    this.shader(program, gl.FRAGMENT_SHADER, `
      precision highp float;
      varying vec4 tint; uniform float size;
      void main() {
        float inside = clamp(.5 * size - .5 - length(gl_PointCoord - .5) * size, 0., 1.) * tint.a;
        gl_FragColor = vec4(tint.rgb * inside, inside);
      }`);
    gl.linkProgram(program);
    if (!gl.getProgramParameter(program, gl.LINK_STATUS)) throw new Error("no WebGL");
    gl.useProgram(program);
    this.uniform = Object.fromEntries(["scale", "shift", "size"].map((name) => [name, gl.getUniformLocation(program, name)]));
    this.attribute = Object.fromEntries(["at", "color"].map((name) => [name, gl.getAttribLocation(program, name)]));
    this.buffer = { at: gl.createBuffer(), color: gl.createBuffer() };
    gl.enable(gl.BLEND);
    gl.blendFunc(gl.ONE, gl.ONE_MINUS_SRC_ALPHA);
    this.count = 0;
  }

  shader(program, kind, source) {
    const shader = this.gl.createShader(kind);
    this.gl.shaderSource(shader, source);
    this.gl.compileShader(shader);
    this.gl.attachShader(program, shader);
  }

  // Points and their colours (red, green, blue, alpha: 0 is not drawn), in the order of drawing.
  set(points, colors) {
    const { gl } = this;
    this.count = points.length / 2;
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer.at);
    gl.bufferData(gl.ARRAY_BUFFER, points, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(this.attribute.at);
    gl.vertexAttribPointer(this.attribute.at, 2, gl.FLOAT, false, 0, 0);
    gl.bindBuffer(gl.ARRAY_BUFFER, this.buffer.color);
    gl.bufferData(gl.ARRAY_BUFFER, colors, gl.STATIC_DRAW);
    gl.enableVertexAttribArray(this.attribute.color);
    gl.vertexAttribPointer(this.attribute.color, 4, gl.UNSIGNED_BYTE, true, 0, 0);
  }

  // A view in CSS pixels, of which each is `sharpness` pixels of the canvas.
  draw(view, sharpness, radius, paper) {
    const { gl, canvas } = this;
    gl.viewport(0, 0, canvas.width, canvas.height);
    gl.clearColor(...paper.map((part) => part / 255), 1);
    gl.clear(gl.COLOR_BUFFER_BIT);
    const across = 2 * sharpness / canvas.width, down = 2 * sharpness / canvas.height;
    gl.uniform2f(this.uniform.scale, view.scale * across, -view.scale * down);
    gl.uniform2f(this.uniform.shift, view.left * across - 1, 1 - view.top * down);
    gl.uniform1f(this.uniform.size, 2 * radius * sharpness + 2);
    gl.drawArrays(gl.POINTS, 0, this.count);
  }
}
