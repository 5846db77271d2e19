/** A backend's weight and where it stands. */
export interface Zoned {
  readonly zone: string | null;
  readonly weight: number;
}

/**
 * What the weight of a backend in the own zone, and of one elsewhere, is multiplied by, so that work stays in the own zone as
 * long as that keeps the load even.
 *
 * Weir does not know what arrives in other zones. It takes it that each zone's Weirs get the same: with `z` zones the own one
 * has 1 ÷ z of the work. While the own zone has at least that part of the capacity all work stays; with less, it
 * takes what it has of it and the rest is spread over the others by weight, which evens out every backend's load, as Envoy's
 * zone-aware routing does. A backend without a zone counts as elsewhere. O(n).
 * @param own the zone Weir is in; `null` for no preference
 * @returns 1 and 1 where there is no preference to be had
 */
export function preferZone(
  backends: readonly Zoned[],
  own: string | null,
): { readonly own: number; readonly others: number } {
  if (own === null) return { own: 1, others: 1 };
  const zones = new Set([own]);
  let near = 0;
  let far = 0;
  for (const { zone, weight } of backends) {
    if (zone !== null) zones.add(zone);
    if (zone === own) near += weight;
    else far += weight;
  }
  if (near === 0 || far === 0) return { own: 1, others: 1 };
  const load = 1 / Math.max(2, zones.size);
  const capacity = near / (near + far);
  if (capacity >= load) return { own: 1, others: 0 };
  // The share of the own zone, over what is left to the others, brought back to weights.
  const share = capacity / load;
  return { own: 1, others: ((1 - share) * near) / (share * far) };
}
