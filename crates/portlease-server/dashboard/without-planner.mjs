// Stands where the planner would be, in a program that was built without it.
export const isMissing = true;
