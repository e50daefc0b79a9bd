select auction, bidder, cast(0.908 as decimal(3,3)) * cast(price as decimal(15,0)) as price,
  case
    when hour(epoch_ms(date_time)) between 8 and 18 then 'dayTime'
    when hour(epoch_ms(date_time)) <= 6 or hour(epoch_ms(date_time)) >= 20 then 'nightTime'
    else 'otherTime'
  end as "bidTimeType",
  date_time as dt, length(extra) - length(replace(extra, 'c', '')) as c_counts
from bid
where 0.908 * price > 1000000 and 0.908 * price < 50000000
