/** The labels by which containers and networks say whose they are. */

/** The label by which every container and network says which repository it belongs to. */
export const ROOT_LABEL = "dev.piko.root";

/**
 * The label by which they say when that repository was registered: two registries may know the same repository, and what
 * one has made is not the other's.
 */
export const REGISTERED_LABEL = "dev.piko.registered";

/** What a project's labels are made of. */
export interface LabelSource {
  root: string;
  registeredAt: string;
}

/** The labels of everything that piko makes for an environment. */
export function labelsOf({ root, registeredAt }: LabelSource): Record<string, string> {
  return { [ROOT_LABEL]: root, [REGISTERED_LABEL]: registeredAt };
}

/** Tells whether labels are those of an environment's own project, as it was registered. */
export function isLabelled(project: LabelSource, labels: Record<string, string>): boolean {
  return Object.entries(labelsOf(project)).every(([label, value]) => labels[label] === value);
}

/** Tells whether labels are those of another project, or of the same one in another registry. */
export function isForeign(project: LabelSource, labels: Record<string, string>): boolean {
  return labels[ROOT_LABEL] !== undefined && !isLabelled(project, labels);
}
