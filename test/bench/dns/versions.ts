/** How many versions of all addresses take turns while tables are swapped. */
export const versionCount = 8;
