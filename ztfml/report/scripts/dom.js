// Short names for the document, and numbers as text.

const queryAll = (selector, root = document) => Array.from(root.querySelectorAll(selector));
const query = (selector, root = document) => root.querySelector(selector);

const fill = (node, attributes, children) => {
  for (const [name, value] of Object.entries(attributes)) {
    if (value !== null && value !== undefined && value !== false) {
      node.setAttribute(name, value === true ? "" : value);
    }
  }
  node.append(...children.filter((child) => child !== null && child !== undefined));
  return node;
};

// Children are text or nodes, never HTML, so that names from files cannot run anything.
const element = (tag, attributes = {}, ...children) =>
  fill(document.createElement(tag), attributes, children);
const svgElement = (tag, attributes = {}, ...children) =>
  fill(document.createElementNS("http://www.w3.org/2000/svg", tag), attributes, children);

const number = (value, digits = 2) =>
  value === null || value === undefined ? "–" : value.toFixed(digits).replace("-", "−");

const dateOf = (jd, length = 16) =>
  new Date((jd - 2440587.5) * 86400e3).toISOString().slice(0, length).replace("T", " ");

const say = (text) => {
  query("#message").textContent = text;
};

const data = JSON.parse(query("#data").textContent);
