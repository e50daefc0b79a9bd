select seller, id, dt, avg(price) over (
  partition by seller order by dt, id rows between 9 preceding and current row
) as average
from (
  select a.id, a.seller, b.price, b.date_time as dt
  from auction a join bid b on a.id = b.auction
  where b.date_time between a.date_time and a.expires
  qualify row_number() over (partition by a.id order by b.price desc, b.date_time, b.bidder) = 1
)
