/** The files of the page, by their path: a fixed table, so that no path can lead elsewhere. */

/** A file that a browser gets. */
export interface Asset {
  /** Its media type. */
  type: string;
  text: string;
}

/** All files of the page. */
export const ASSETS: Readonly<Record<string, Asset>> = {
  "/assets/style.css": {
    type: "text/css; charset=utf-8",
    text: "body { font: 16px sans-serif; }\n",
  },
};
